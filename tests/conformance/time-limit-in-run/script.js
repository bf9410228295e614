const spin = () => {
  for (;;) {}
};

function run() {
  return spin();
}
