/** The platforms that Unjam runs on, spelled as Node spells them, everywhere. */
export const platforms = ['linux', 'win32'] as const;
export type Platform = (typeof platforms)[number];
