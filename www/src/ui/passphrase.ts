/** New passphrases: what can honestly be said of one, and one that a machine made. */

/** A passphrase that was thought up should have as many characters. */
const LENGTH_WISHED = 15;

/** Without letters and digits that are mistaken for each other: Crockford's base32. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** What its length says. Nothing else is looked at, and so nothing else is claimed. */
export function lengthHint(passphrase: string): string {
  const { length } = [...passphrase];
  if (length === 0) return "Nobody can reset it. Keep it where you will find it again.";
  const count = length === 1 ? "1 character" : `${length} characters`;
  if (length >= LENGTH_WISHED)
    return `${count}. It holds if nobody can guess it: only its length was looked at.`;
  return `${count}: short. Use ${LENGTH_WISHED} or more, such as several words, or let one be suggested.`;
}

/** Five groups of five characters from the platform's randomness: 125 bits. */
export function suggestedPassphrase(): string {
  // 256 is a multiple of the alphabet's 32 letters, so each is as likely.
  const letters = [...crypto.getRandomValues(new Uint8Array(25))].map((byte) => ALPHABET.charAt(byte % 32));
  return [0, 5, 10, 15, 20].map((at) => letters.slice(at, at + 5).join("")).join("-");
}
