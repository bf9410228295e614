const seen = globalThis.left_behind !== undefined;
globalThis.left_behind = 1;
seen;
