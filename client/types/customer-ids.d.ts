/**
 * An id as a part of an address: each byte (UTF-8) outside A-Z a-z 0-9 . _ : @ - is a tilde and two hexadecimal digits. Percent codes do
 * not do, because gateways decode them before they look for the route.
 * @param {string} customerId
 * @returns {string}
 */
export function addressOf(customerId: string): string;
/**
 * The id of a part of an address.
 * @param {string} address
 * @returns {string}
 */
export function idOf(address: string): string;
