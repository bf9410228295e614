({ next: (x) => x + 1, n: 1 });
