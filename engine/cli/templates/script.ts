interface Params {
  /** Who to greet */
  name: string;
  /** How often */
  times?: number;
}

/** Greets somebody, as often as asked. */
export default function run({ name, times = 1 }: Params): string {
  return Array(times).fill(`Hello, ${name}!`).join(" ");
}
