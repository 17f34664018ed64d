// What the component exports. The build begins here; tests do not need it.

import plugin from "./{{kind}}.js";
import { component } from "../vendor/jackfield/component.js";

export const { {{exports}} } = component(plugin);
