/** A metadata record that does not fit the image it is applied to: the log is damaged, or whoever wrote it has a bug. */
export class InvalidMetadataRecord extends Error {
  override readonly name = 'InvalidMetadataRecord'
}
