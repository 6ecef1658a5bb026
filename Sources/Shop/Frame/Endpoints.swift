// Every endpoint of /api there is. To add one: a file in Endpoints/, a line here.

extension ShopRouter {
    static let endpoints: [any Endpoint.Type] = [
        // Orders
        OrderPlaceEndpoint.self, OrderGetEndpoint.self, OrderCancelEndpoint.self, OrderHistoryEndpoint.self, OrderFramesEndpoint.self,

        // Payments
        PaymentStartEndpoint.self, PaymentListEndpoint.self, PaymentGetEndpoint.self, PaymentConfirmEndpoint.self, PaymentMoveEndpoint.self,

        // Logistics, returns
        ShipmentCreateEndpoint.self, ShipmentListEndpoint.self, ShipmentGetEndpoint.self, TrackingStreamEndpoint.self, TrackingAddEndpoint.self,
        ReturnRequestEndpoint.self, ReturnListEndpoint.self, ReturnGetEndpoint.self, ReturnAdvanceEndpoint.self, ReturnRefundEndpoint.self, ReturnExchangeEndpoint.self,

        // What others tell us
        PaymentWebhookEndpoint.self, CarrierWebhookEndpoint.self,

        // People
        PersonCreateEndpoint.self, PersonPutEndpoint.self, PersonGetEndpoint.self, PersonFindEndpoint.self, AddressAddEndpoint.self, AddressListEndpoint.self,
        BasketGetEndpoint.self, BasketPutEndpoint.self,
        FollowEndpoint.self, FollowsEndpoint.self, FollowListEndpoint.self, SuggestionsEndpoint.self,

        // The catalogue's master
        ProductGetEndpoint.self, ProductListEndpoint.self, ProductPutEndpoint.self, PricePutEndpoint.self, StockEndpoint.self,

        // Running it
        ReconciliationEndpoint.self, StatusEndpoint.self, SandboxWebhooksEndpoint.self, OpenAPIEndpoint.self,
    ]
}
