/** The logo: several lines that become one. */
export function Logo({ size = 26 }: { readonly size?: number }) {
  return (
    <svg class="logo" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M4 7c9 0 8 9 15 9M4 16h15M4 25c9 0 8-9 15-9" />
      <circle cx="23.5" cy="16" r="4.5" />
    </svg>
  );
}
