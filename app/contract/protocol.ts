/** Bumped when an older client can no longer talk to this host. Apart from the schemas, so that clients need no zod. */
export const contractProtocol = 1;

/** Of every answer: the version whose schemas it has passed. */
export const versionHeader = 'x-unjam-version';
