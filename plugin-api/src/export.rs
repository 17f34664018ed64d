//! The export macro.

/// Offers the named extensions to every host: linked in, as a native library, as a component.
///
/// Analyzers are named as they are, other kinds after their kind: `export_plugin!(Decisions, Actions);`,
/// `export_plugin!(models: Echo);`, `export_plugin!(caches: Shelf);`, `export_plugin!(policies: Greedy);`, `export_plugin!(searches: Anneal);`,
/// `export_plugin!(extractors: MedianDifference);`. The version that the extensions report is the crate's.
#[macro_export]
macro_rules! export_plugin {
    (models: $($extension:ty),+ $(,)?) => {
        $($crate::export_plugin!(@one Model, $crate::Model, extension_of_model, $extension);)+
    };
    (caches: $($extension:ty),+ $(,)?) => {
        $($crate::export_plugin!(@one CacheBackend, $crate::CacheBackend, extension_of_cache, $extension);)+
    };
    (policies: $($extension:ty),+ $(,)?) => {
        $($crate::export_plugin!(@one RoutingPolicy, $crate::RoutingPolicy, extension_of_policy, $extension);)+
    };
    (searches: $($extension:ty),+ $(,)?) => {
        $($crate::export_plugin!(@one RoutingPolicy, $crate::SearchPolicy, extension_of_search, $extension);)+
    };
    (extractors: $($extension:ty),+ $(,)?) => {
        $($crate::export_plugin!(
            @one DirectionExtractor, $crate::DirectionExtractor, extension_of_extractor, $extension
        );)+
    };
    (@one $kind:ident, $of:path, $make:ident, $extension:ty) => {
        $crate::__private::inventory::submit! {
            $crate::Registration {
                kind: $crate::Kind::$kind,
                name: <$extension as $of>::NAME,
                make: || $crate::__private::$make::<$extension>(::core::env!("CARGO_PKG_VERSION")),
            }
        }
    };
    ($($extension:ty),+ $(,)?) => {
        $($crate::export_plugin!(@one Analyzer, $crate::Analyzer, extension_of, $extension);)+
    };
}
