"before";
import { x } from "./missing.js";
x
