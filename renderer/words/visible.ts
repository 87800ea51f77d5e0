/** One rule for the page, the terminal and files. */
export { nameOfUnsafe, unsafeCharacter, visible } from '../../app/domain/visible.ts';
