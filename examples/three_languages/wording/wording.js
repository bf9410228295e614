export default function run({ customer, total }) {
  return { customer, total, text: `${customer} pays ${total.toFixed(2)}`, languages: ["javascript"] };
}
