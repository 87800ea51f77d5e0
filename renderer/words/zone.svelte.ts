/** Which zone points in time are written in. One for the whole page, so that two times on screen can always be compared. */
export const zone = $state({ isUtc: false });
