"""The web server around the pages: sign-in, who gets through, headers, health. No page."""
