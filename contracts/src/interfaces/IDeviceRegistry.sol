// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Who may open what
/// @notice The consortium's admin lists operators; an operator opens sites and provisions their devices.
interface IDeviceRegistry {
    /// @notice Sellers are offered this operator's sites.
    event OperatorListed(address indexed operator, string name);
    /// @notice No new site, no new device of this operator; running orders end as usual.
    event OperatorDelisted(address indexed operator);
    /// @notice A new place to collect goods.
    event SiteOpened(uint256 indexed site, address indexed operator, string name);
    /// @notice No new listing and no new device here; running orders end as usual.
    event SiteClosed(uint256 indexed site);
    /// @notice A new device.
    event Provisioned(
        uint256 indexed id, uint256 indexed site, address indexed device, uint256 until, bytes32 certificate
    );
    /// @notice The device has a new key, a new certificate or a new expiry.
    event Rotated(uint256 indexed id, uint256 indexed site, address indexed device, uint256 until, bytes32 certificate);
    /// @notice The device neither releases nor completes any more.
    event Decommissioned(uint256 indexed id);

    /// @notice The operator is listed already.
    error OperatorAlreadyListed(address operator);
    /// @notice The operator is not listed.
    error OperatorNotListed(address operator);
    /// @notice A name needs 1 to 64 bytes.
    error InvalidName(uint256 length);
    /// @notice The site was never opened, or is closed.
    error SiteNotOpen(uint256 site);
    /// @notice Only the site's operator may.
    error NotOperator(address caller, address operator);
    /// @notice No such device, or decommissioned.
    error UnknownDevice(uint256 id);
    /// @notice The address has held an id and is refused for any other.
    error AddressInUse(address device, uint256 id);
    /// @notice `until` must lie in the future and below 2^40.
    error InvalidUntil(uint256 until, uint256 time);
    /// @notice A certificate's digest is not zero.
    error InvalidCertificate();
    /// @notice The device's own signature over these facts is missing.
    error InvalidConsent(address device);
    /// @notice Zero is nobody.
    error InvalidAddress();
    /// @notice All site ids are given away.
    error SitesExhausted();
    /// @notice All device ids are given away.
    error DevicesExhausted();
    /// @notice The registry takes no ether.
    error EtherRefused(address sender, uint256 amount);

    /// @notice The admin admits an operator.
    function listOperator(address operator, string calldata name) external;

    /// @notice The admin stops an operator's new business.
    function delistOperator(address operator) external;

    /// @notice A listed operator opens a site; ids start at 1.
    function openSite(string calldata name) external returns (uint256 id);

    /// @notice Its operator closes a site, for good.
    function closeSite(uint256 id) external;

    /// @notice A listed operator adds a device to its open site; ids start at 1.
    /// @param site Where it opens.
    /// @param device The address of its chain key.
    /// @param until It is active before this second.
    /// @param certificate SHA-256 of its X.509 public key, which ties chain, cloud and id.
    /// @param consent The device's own signature over {consentDigest} with id 0.
    function provision(uint256 site, address device, uint256 until, bytes32 certificate, bytes calldata consent)
        external
        returns (uint256 id);

    /// @notice Its operator gives a device a new key, certificate or expiry, effective at once; the same address renews.
    function rotate(uint256 id, address device, uint256 until, bytes32 certificate, bytes calldata consent) external;

    /// @notice Its operator retires a device for good, effective at once.
    function decommission(uint256 id) external;

    /// @notice Whether the operator is listed.
    function isListed(address operator) external view returns (bool);

    /// @notice Whether the site takes new listings.
    function isOpen(uint256 site) external view returns (bool);

    /// @notice A site's facts; all zero when it was never opened.
    function site(uint256 id) external view returns (address operator, string memory name, bool open);

    /// @notice A device's facts; site and operator are kept after it was decommissioned.
    function device(uint256 id)
        external
        view
        returns (address account, uint256 site, uint256 until, address operator, bool active);

    /// @notice The id that an address holds or has held; 0 for none.
    function idOf(address device) external view returns (uint256);

    /// @notice SHA-256 of the device's X.509 public key.
    function certificateOf(uint256 id) external view returns (bytes32);

    /// @notice Of an active device its id and site; of any other account zeros. What `release` asks.
    function activeDevice(address account) external view returns (uint256 id, uint256 site);

    /// @notice Whether the account may settle what this device left: the device itself while it is active,
    /// its operator once it is not. What `complete` and `abort` ask.
    function settles(uint256 id, address account) external view returns (bool);

    /// @notice What a device signs, by EIP-712, to consent; id 0 when it is provisioned.
    function consentDigest(
        uint256 id,
        uint256 site,
        address device,
        uint256 until,
        bytes32 certificate,
        address operator
    ) external view returns (bytes32);
}
