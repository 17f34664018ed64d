import type { Plugin } from "./jackfield.js";

/**
 * What the component exports: `export const { meta, extension } = component(plugin)`, and `cacheBackend` as well where it is built
 * for the world `cache-plugin`. Only the build imports this file.
 */
export function component(plugin: Plugin): { meta: object; extension: object; cacheBackend: object };
