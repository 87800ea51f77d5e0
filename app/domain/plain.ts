/**
 * Names, commands and reasons come from scripts and callers. In a native dialog, a toast or a menu a line break or a
 * text-direction override in one of them could rewrite the sentence around it ("…\n\nThis is safe, press OK").
 */

// Control, format (bidi overrides, zero-width), line and paragraph separators, unpaired surrogates.
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

/** One visible line of at most `max` characters; what was cut is marked by an ellipsis. */
export function plain(text: string, max = 120): string {
  const line = text.replace(invisible, ' ').replace(/ {2,}/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= max ? line : `${characters.slice(0, max - 1).join('')}…`;
}

/** Every character of `text`, the invisible ones spelled out as `\u{202e}`; for what a person is asked to approve. */
export function spelledOut(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** In a Windows menu or button a single `&` becomes an underline. */
export function menuText(text: string, max = 60): string {
  return plain(text, max).replaceAll('&', '&&');
}
