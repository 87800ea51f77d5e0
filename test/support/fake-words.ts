/** Words that no label, headline or log line of Unjam uses: guesses, and claims that were not observed. */
export const bannedWords =
  /\b(hung|hangs|frozen|zombie|dead|crashed|successfully killed|killed successfully|terminated)\b/;
