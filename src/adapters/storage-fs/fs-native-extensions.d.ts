/** The one function of the package that is used here; it comes without types. */
declare module 'fs-native-extensions' {
  const extensions: {
    /** Takes an exclusive lock on the whole file; false = another descriptor has it. */
    tryLock(fd: number): boolean
  }
  export default extensions
}
