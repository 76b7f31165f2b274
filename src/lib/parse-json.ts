/** The value of a JSON text in UTF-8. @throws what `refusal` makes of the cause when it is not one. */
export function parseJson(bytes: Uint8Array, refusal: (cause: unknown) => Error): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refusal(cause);
  }
}
