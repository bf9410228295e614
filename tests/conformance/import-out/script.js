import { x } from "../import-helper/helper.js";
x
