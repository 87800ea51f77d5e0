/** What the code pages of consoles mean, from the tables of the Unicode consortium: a reference for decoders. */

/** The characters of the bytes 0x80 to 0xff. */
export const upperHalves = {
  437: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0',
  850: 'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u00ad±‗¾¶§÷¸°¨·¹³²■\u00a0',
} as const;

export const upperHalf = Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i));

const of932 = new TextDecoder('shift_jis', { fatal: true });

/** Every pair of bytes that is one character of code page 932, and its text. */
export function pairs932(): { readonly bytes: Buffer; readonly text: string } {
  const pairs: number[] = [];
  for (let lead = 0x81; lead <= 0xfc; lead += 1) {
    if (lead > 0x9f && lead < 0xe0) continue;
    for (let trail = 0x40; trail <= 0xfc; trail += 1) if (is932(lead, trail)) pairs.push(lead, trail);
  }
  const bytes = Buffer.from(pairs);
  return { bytes, text: of932.decode(bytes) };
}

function is932(lead: number, trail: number): boolean {
  try {
    return [...of932.decode(Buffer.from([lead, trail]))].length === 1;
  } catch {
    return false;
  }
}

/** As Windows decodes: bytes below 0x80 are ASCII. */
export const decode = {
  437: (bytes: Buffer): string => [...bytes].map((byte) => characterOf(437, byte)).join(''),
  850: (bytes: Buffer): string => [...bytes].map((byte) => characterOf(850, byte)).join(''),
  932: (bytes: Buffer): string => new TextDecoder('shift_jis').decode(bytes),
} as const;

const characterOf = (page: keyof typeof upperHalves, byte: number): string =>
  byte < 0x80 ? String.fromCharCode(byte) : (upperHalves[page][byte - 0x80] ?? '');
