/** A value of the registry, by its type: text, number, list of texts, or bytes. */
export type RegistryValue = string | number | bigint | readonly string[] | Uint8Array;
