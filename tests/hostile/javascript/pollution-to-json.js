// about: every object gets a `toJSON`, so that the bridge would read something else
// in_process: ok {"a": [1, "b"]}
// worker: ok {"a": [1, "b"]}
// container: omitted: this version runs no scripts in containers
// next: ({}).toJSON === undefined

Object.prototype.toJSON = () => "fooled";
Array.prototype.toJSON = () => "fooled";
String.prototype.toJSON = () => "fooled";
({ a: [1, "b"] })
