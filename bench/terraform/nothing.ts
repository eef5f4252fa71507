/** A program without a resource. */
export default {};
