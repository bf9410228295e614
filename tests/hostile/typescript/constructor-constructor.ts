// about: functions are made from text, behind types that are stripped
// in_process: ok "denied"
// worker: ok "denied"
// container: omitted: this version runs no scripts in containers

const make = ((): void => {}).constructor as unknown as (code: string) => () => Record<string, unknown>;
const found: string[] = ["process", "require", "Deno"].filter((name: string) => make("return globalThis")()[name] !== undefined);
found.length ? found : "denied"
