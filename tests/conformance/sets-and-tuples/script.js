({ tuple: [1, 2], set: new Set([3]), range: [0, 1] });
