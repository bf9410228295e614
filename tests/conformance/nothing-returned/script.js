function run() {
  const x = 5;
}
