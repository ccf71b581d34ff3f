/**
 * The hub's address, checked before anything is sent to it.
 */

/** What is wrong with `address`; nothing where it can be used. */
export function addressProblem(address: string): string | undefined {
  if (address.trim() === '') {
    return 'Enter the address of the hub, for instance http://arki-hub:8420.';
  }
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return `"${address}" is no address: it begins with http:// or https://, for instance http://arki-hub:8420.`;
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return `"${url.protocol}//" is not spoken by the hub: use http:// or https://.`;
  }
  if (url.username !== '' || url.password !== '') {
    return 'An address has no user or password in it: the API key goes into its own field.';
  }
  if (url.search !== '' || url.hash !== '') {
    return 'The address of the hub has no ? or # in it.';
  }
  return undefined;
}

/** `address` as it is kept: without blanks and without a slash at the end, because `/v1` follows. */
export function tidyAddress(address: string): string {
  return address.trim().replace(/\/+$/, '');
}
