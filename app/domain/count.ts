/** "1 script", "3 scripts": the plural of every sentence of Unjam. The page writes its numbers in groups of its own. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
export const processes = (n: number): string => count(n, 'process', 'processes');
