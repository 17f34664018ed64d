// UTF-8, which QuickJS has no TextEncoder for.

const CHUNK = 8192;

/** The text of some bytes; throws a `URIError` where they are not UTF-8. */
export function decode(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + CHUNK));
  }
  // The old pair is native in every engine, and much faster than a loop here.
  return /[\x80-\xff]/.test(text) ? decodeURIComponent(escape(text)) : text;
}

/** The bytes of a text; throws a `URIError` where half a surrogate pair stands alone. */
export function encode(text) {
  const binary = /[^\x00-\x7f]/.test(text) ? unescape(encodeURIComponent(text)) : text;
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
