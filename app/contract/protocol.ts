/** Bumped when an older client can no longer talk to this host. Apart from the schemas, so that clients need no zod. */
export const contractProtocol = 1;
