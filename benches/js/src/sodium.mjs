/** libsodium.js, to compare how long it takes to start. */

import sodium from "libsodium-wrappers-sumo";

export const ready = () => sodium.ready;
