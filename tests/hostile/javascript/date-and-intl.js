// about: objects with odd values are returned
// in_process: ok | script_error
// worker: ok | script_error
// container: omitted: this version runs no scripts in containers

({ date: new Date(NaN), map: new Map([[{}, 1]]), weak: new WeakMap(), symbol: Symbol("x"), big: 10n ** 30n, self: globalThis })
