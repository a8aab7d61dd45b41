/** The one function of the package that is used here; it comes without types. */
declare module 'fs-native-extensions' {
  const extensions: {
    /** Takes an exclusive lock on the whole file; false = another descriptor has it. */
    tryLock(fd: number): boolean
  }
  // eslint-disable-next-line no-restricted-exports -- a CommonJS package has nothing else
  export default extensions
}
