//! The export macro.

/// Offers the named analyzers to every host: linked in, as a native library, as a component.
///
/// Once in a crate, with every extension of the crate: `export_plugin!(Decisions, Actions);`. The version that the
/// extensions report is the crate's.
#[macro_export]
macro_rules! export_plugin {
    ($($extension:ty),+ $(,)?) => {
        $(
            $crate::__private::inventory::submit! {
                $crate::Registration {
                    kind: $crate::Kind::Analyzer,
                    name: <$extension as $crate::Analyzer>::NAME,
                    make: || $crate::__private::extension_of::<$extension>(::core::env!("CARGO_PKG_VERSION")),
                }
            }
        )+
    };
}
