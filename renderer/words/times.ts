/** Points in time as the page writes them: one rule for the page and for what is copied out of it. */
export * from '../../app/domain/times.ts';
