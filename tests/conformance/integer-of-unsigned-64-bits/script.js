params.n;
