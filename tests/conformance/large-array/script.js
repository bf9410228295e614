Array.from({ length: 50000 }, (_, i) => i);
