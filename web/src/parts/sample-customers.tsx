/** TODO */
export function SampleCustomers() {
  return null;
}
