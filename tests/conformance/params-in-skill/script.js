function run() {
  return skill.params.deep[1].name;
}
