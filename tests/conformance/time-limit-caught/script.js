let n = 0;
for (;;) {
  try {
    for (;;) n += 1;
  } catch {
    n = 0;
  } finally {
    n = 1;
  }
}
