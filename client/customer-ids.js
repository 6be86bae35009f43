/** Ids of customers in addresses. */

const PLAIN = /[A-Za-z0-9._:@-]/;

/**
 * An id as a part of an address: each byte (UTF-8) outside A-Z a-z 0-9 . _ : @ - is a tilde and two hexadecimal digits. Percent codes do
 * not do, because gateways decode them before they look for the route.
 * @param {string} customerId
 * @returns {string}
 */
export function addressOf(customerId) {
  return Array.from(new TextEncoder().encode(customerId), (byte) => {
    const character = String.fromCharCode(byte);
    return PLAIN.test(character) ? character : `~${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/**
 * The id of a part of an address.
 * @param {string} address
 * @returns {string}
 */
export function idOf(address) {
  return address.replace(/(?:~[0-9A-Fa-f]{2})+/g, (escaped) => {
    const bytes = Uint8Array.from(escaped.slice(1).split("~"), (digits) => Number.parseInt(digits, 16));
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      return escaped;
    }
  });
}
