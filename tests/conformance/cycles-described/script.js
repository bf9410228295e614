const around = { n: 1 };
around.self = around;
const listed = [around];
listed.push(listed);
listed;
