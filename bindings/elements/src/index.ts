/**
 * Web components over a connector vault. Importing this module defines all of them; each has a module of its
 * own, too.
 *
 * @packageDocumentation
 */

export { setTexts, type Texts } from "./texts.js";
