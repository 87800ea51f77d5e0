/** The key that the log-in page of the console hands to the page. */
export const keyOf = (loginPage: string): string => /name="unjam-key" content="([^"]+)"/.exec(loginPage)?.[1] ?? '';
