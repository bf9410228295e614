// about: the network is looked for
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers

["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "Worker", "navigator"].filter((name) => typeof globalThis[name] !== "undefined").join() || "denied"
