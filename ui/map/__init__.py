"""The map: what is sent to the browser (pure) and the component that sends it."""
