export const NAME = "deep";
