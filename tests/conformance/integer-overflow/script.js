params.n + 1n;
