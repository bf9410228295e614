const part = [1];
[part, part];
