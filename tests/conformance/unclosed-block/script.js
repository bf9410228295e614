function run(params) {
  if (params.a) {
    return 1;
