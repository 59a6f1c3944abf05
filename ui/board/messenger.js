// Carries questions for parts to the server and answers back; nothing to see. It stands beside
// the map so that an answer draws no widget anew (ui/map/parts.py).

const KEY = Symbol.for("gridwright.parts");

export default function mount(component) {
  const { data, setTriggerValue } = component;
  globalThis[KEY] ??= { boards: new Map(), send: null };
  const post = globalThis[KEY];
  const send = (question) => setTriggerValue("asked", question);
  post.send = send;
  if (data && data.byteLength) {
    const answer = JSON.parse(new TextDecoder().decode(data));
    post.boards.get(answer.key)?.take(answer);
  }
  return () => {
    if (post.send === send) post.send = null;
  };
}
